SELECT `id` AS `id`, `at` AS `at`, CAST(price * amount AS DECIMAL(20,2)) AS `total`, `id` AS `__dp_split`
FROM   `shop`.`t_order`
-- task: (`__dp_split` < 500 OR `__dp_split` IS NULL)
-- task: `__dp_split` >= 500
-- projection
CAST(`id` AS bigint) AS `id`
to_utc_timestamp(`at`, 'Asia/Shanghai') AS `at`
CAST(`total` AS decimal(20,2)) AS `total`
inline(array(named_struct('ds', '2026-01-01'), named_struct('ds', '2026-01-02'), named_struct('ds', '2026-01-03')))

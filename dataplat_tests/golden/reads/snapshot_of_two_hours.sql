SELECT `id` AS `id`, `at` AS `at`, CAST(price * amount AS DECIMAL(20,2)) AS `total`, `id` AS `__dp_split`
FROM   `shop`.`t_order`
-- projection
CAST(`id` AS bigint) AS `id`
to_utc_timestamp(`at`, 'Asia/Shanghai') AS `at`
CAST(`total` AS decimal(20,2)) AS `total`
inline(array(named_struct('ds', '2026-01-09', 'hr', '05'), named_struct('ds', '2026-01-09', 'hr', '06')))

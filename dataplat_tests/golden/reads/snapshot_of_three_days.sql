SELECT `id` AS `id`, `at` AS `at`, CAST(price * amount AS DECIMAL(20,2)) AS `total`, `id` AS `__dp_split`
FROM   `shop`.`t_order`
-- task: (`__dp_split` < 500 OR `__dp_split` IS NULL)
-- task: `__dp_split` >= 500
-- projection
CAST(`id` AS bigint) AS `id`
CASE WHEN unix_micros(`at`) >= 694310400000000 AND unix_micros(`at`) < 2366928000000000 THEN timestamp_micros(unix_micros(`at`) - 28800000000) ELSE to_utc_timestamp(`at`, 'Asia/Shanghai') END AS `at`
CAST(`total` AS decimal(20,2)) AS `total`
inline(array(named_struct('ds', '2026-01-01'), named_struct('ds', '2026-01-02'), named_struct('ds', '2026-01-03')))

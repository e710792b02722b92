SELECT `id` AS `id`, `at` AS `at`, CAST(price * amount AS DECIMAL(20,2)) AS `total`, `at` AS `__dp_window`
FROM   `shop`.`t_order`
WHERE  (`at` >= '2026-01-01 00:00:00' AND `at` < '2026-01-02 00:00:00')
-- task: `__dp_window` < '2026-01-01 12:00:00'
-- task: `__dp_window` >= '2026-01-01 12:00:00'
-- projection
CAST(`id` AS bigint) AS `id`
CASE WHEN unix_micros(`at`) >= 694310400000000 AND unix_micros(`at`) < 2366928000000000 THEN timestamp_micros(unix_micros(`at`) - 28800000000) ELSE to_utc_timestamp(`at`, 'Asia/Shanghai') END AS `at`
CAST(`total` AS decimal(20,2)) AS `total`

SELECT `id` AS `id`, `at` AS `at`, CAST(price * amount AS DECIMAL(20,2)) AS `total`, `at` AS `__dp_window`, `id` AS `__dp_split`
FROM   `shop`.`t_order`
WHERE  (`at` >= '2026-01-09 05:00:00' AND `at` < '2026-01-09 07:00:00')
-- projection
CAST(`id` AS bigint) AS `id`
CASE WHEN unix_micros(`at`) >= 694310400000000 AND unix_micros(`at`) < 2366928000000000 THEN timestamp_micros(unix_micros(`at`) - 28800000000) ELSE to_utc_timestamp(`at`, 'Asia/Shanghai') END AS `at`
CAST(`total` AS decimal(20,2)) AS `total`
CASE WHEN unix_micros(`__dp_window`) >= 1767934800000000 AND unix_micros(`__dp_window`) < 1767942000000000 THEN array('2026-01-09', '2026-01-09')[CAST((unix_micros(`__dp_window`) - 1767934800000000) DIV 3600000000 AS INT)] ELSE date_format(CASE WHEN unix_micros(`__dp_window`) >= 694310400000000 AND unix_micros(`__dp_window`) < 2366928000000000 THEN timestamp_micros(unix_micros(`__dp_window`) - 28800000000) ELSE to_utc_timestamp(`__dp_window`, 'Asia/Shanghai') END, 'yyyy-MM-dd') END AS `ds`
CASE WHEN unix_micros(`__dp_window`) >= 1767934800000000 AND unix_micros(`__dp_window`) < 1767942000000000 THEN array('05', '06')[CAST((unix_micros(`__dp_window`) - 1767934800000000) DIV 3600000000 AS INT)] ELSE date_format(CASE WHEN unix_micros(`__dp_window`) >= 694310400000000 AND unix_micros(`__dp_window`) < 2366928000000000 THEN timestamp_micros(unix_micros(`__dp_window`) - 28800000000) ELSE to_utc_timestamp(`__dp_window`, 'Asia/Shanghai') END, 'HH') END AS `hr`

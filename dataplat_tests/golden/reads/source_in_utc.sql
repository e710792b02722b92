SELECT `id` AS `id`, `at` AS `at`, CAST(price * amount AS DECIMAL(20,2)) AS `total`, `at` AS `__dp_window`, `id` AS `__dp_split`
FROM   `shop`.`t_order`
WHERE  (`at` >= '2025-12-31 16:00:00' AND `at` < '2026-01-02 16:00:00')
-- task: (`__dp_window` >= '2025-12-31 16:00:00' AND `__dp_window` < '2026-01-01 16:00:00')
-- task: (`__dp_window` >= '2026-01-01 16:00:00' AND `__dp_window` < '2026-01-02 16:00:00')
-- projection
CAST(`id` AS bigint) AS `id`
to_utc_timestamp(`at`, 'UTC') AS `at`
CAST(`total` AS decimal(20,2)) AS `total`
date_format(to_utc_timestamp(`__dp_window`, 'UTC'), 'yyyy-MM-dd') AS `ds`

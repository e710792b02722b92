SELECT `id` AS `id`, `at` AS `at`, CAST(price * amount AS DECIMAL(20,2)) AS `total`, 'flow_1' AS `shard_name`, `at` AS `__dp_window`
FROM   `hydra`.`flow_1`
WHERE  (`at` >= '2026-01-01 00:00:00' AND `at` < '2026-01-03 00:00:00')
UNION ALL
SELECT `id` AS `id`, `at` AS `at`, CAST(price * amount AS DECIMAL(20,2)) AS `total`, 'flow''s_2' AS `shard_name`, `at` AS `__dp_window`
FROM   `hydra`.`flow's_2`
WHERE  (`at` >= '2026-01-01 00:00:00' AND `at` < '2026-01-03 00:00:00')
-- projection
CAST(`id` AS bigint) AS `id`
to_utc_timestamp(`at`, 'Asia/Shanghai') AS `at`
CAST(`total` AS decimal(20,2)) AS `total`
`shard_name`
date_format(to_utc_timestamp(`__dp_window`, 'Asia/Shanghai'), 'yyyy-MM-dd') AS `ds`

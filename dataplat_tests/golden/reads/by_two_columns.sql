SELECT `id` AS `id`, `at` AS `at`, CAST(price * amount AS DECIMAL(20,2)) AS `total`, `tenant` AS `__dp_split`, `id` AS `__dp_split1`
FROM   `shop`.`t_order`
-- task: `__dp_split` <= 'acme' AND (`__dp_split` < 'acme' OR `__dp_split1` < 7)
-- task: `__dp_split` >= 'acme' AND (`__dp_split` > 'acme' OR `__dp_split1` >= 7) AND `__dp_split` <= _utf8mb4 X'7A6574612773' AND (`__dp_split` < _utf8mb4 X'7A6574612773' OR `__dp_split1` < 9)
-- task: `__dp_split` >= _utf8mb4 X'7A6574612773' AND (`__dp_split` > _utf8mb4 X'7A6574612773' OR `__dp_split1` >= 9)
-- projection
CAST(`id` AS bigint) AS `id`
CASE WHEN unix_micros(`at`) >= 694310400000000 AND unix_micros(`at`) < 2366928000000000 THEN timestamp_micros(unix_micros(`at`) - 28800000000) ELSE to_utc_timestamp(`at`, 'Asia/Shanghai') END AS `at`
CAST(`total` AS decimal(20,2)) AS `total`

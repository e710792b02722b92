ALTER TABLE `ods`.`orders` ADD COLUMNS (`id` bigint COMMENT 'the order\'s number', `price` decimal(20,0), `note` string COMMENT 'it\'s \u0024{env:SECRET} \\ 备注');

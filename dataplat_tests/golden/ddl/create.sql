CREATE DATABASE IF NOT EXISTS `ods` LOCATION 'hdfs://ns1/user/hive/warehouse/ods.db';
CREATE EXTERNAL TABLE IF NOT EXISTS `ods`.`orders` (
  `id` bigint COMMENT 'the order\'s number',
  `price` decimal(20,0),
  `note` string COMMENT 'it\'s \u0024{env:SECRET} \\ 备注'
)
COMMENT 'Orders of the shop'
PARTITIONED BY (`ds` string, `hr` string)
STORED AS ORC
LOCATION 'hdfs://ns1/user/hive/warehouse/ods.db/orders'
TBLPROPERTIES ('dataplat.sha' = '4f1c9a', 'o\'k' = 'yes');
CREATE EXTERNAL TABLE IF NOT EXISTS `ods`.`codes` (
  `id` bigint COMMENT 'the order\'s number'
)
STORED AS PARQUET
LOCATION 'hdfs://ns1/user/hive/warehouse/ods.db/codes';

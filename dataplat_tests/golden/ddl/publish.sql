ALTER TABLE `ods`.`orders` ADD IF NOT EXISTS
  PARTITION (`ds` = '2026-01-01', `hr` = '05') LOCATION 'hdfs://ns1/user/hive/warehouse/ods.db/orders/_versions/v1/ds=1'
  PARTITION (`ds` = '2026-01-03', `hr` = '05') LOCATION 'hdfs://ns1/user/hive/warehouse/ods.db/orders/_versions/v1/ds=3'
  PARTITION (`ds` = '2026-01-04', `hr` = '05') LOCATION 'hdfs://ns1/user/hive/warehouse/ods.db/orders/_versions/v1/ds=4';
ALTER TABLE `ods`.`orders` ADD IF NOT EXISTS
  PARTITION (`ds` = '2026-01-05', `hr` = '05') LOCATION 'hdfs://ns1/user/hive/warehouse/ods.db/orders/_versions/v1/ds=5';
ALTER TABLE `ods`.`orders` PARTITION (`ds` = '2026-01-02', `hr` = '05') SET LOCATION 'hdfs://ns1/user/hive/warehouse/ods.db/orders/_versions/v1/ds=2';

"""Real servers for the tests, on loopback: HDFS and the Hive metastore; MariaDB comes from the demo."""

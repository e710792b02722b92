SELECT
  CAST(id AS BIGINT) AS region_id,
  name AS region_name,
  regexp_replace(name, '(壮族|回族|维吾尔)?(自治区|省|市)$', '') AS short_name,
  CASE id DIV 100000
    WHEN 1 THEN '华北'
    WHEN 2 THEN '东北'
    WHEN 3 THEN '华东'
    WHEN 4 THEN '中南'
    WHEN 5 THEN '西南'
    WHEN 6 THEN '西北'
  END AS area,
  population_ten_thousand * 10000 AS population
FROM ods.ods_t_region
WHERE ds = '{{ ds }}'

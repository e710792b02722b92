-- The snapshot may be taken after midnight: who registered since is not yet an account of this day.
SELECT
  CAST(a.id AS BIGINT) AS account_id,
  a.gender,
  CASE
    WHEN a.birthday IS NULL THEN 'unknown'
    ELSE concat(
      CAST(floor(months_between('{{ ds }}', a.birthday) / 120) * 10 AS INT), '-',
      CAST(floor(months_between('{{ ds }}', a.birthday) / 120) * 10 + 9 AS INT))
  END AS age_band,
  r.region_id,
  coalesce(r.area, 'unknown') AS area,
  CAST(a.level AS INT) AS level,
  a.is_vip = 1 AS is_vip,
  coalesce(to_date(a.closed_at) > '{{ ds }}', true) AS is_open,
  to_date(a.create_time) AS registered_on
FROM ods.ods_t_account a
LEFT JOIN dim.dim_region r ON r.ds = a.ds AND r.region_id = a.region_id
WHERE a.ds = '{{ ds }}'
  AND to_date(a.create_time) <= '{{ ds }}'

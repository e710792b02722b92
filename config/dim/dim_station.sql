SELECT
  station,
  CASE
    WHEN station LIKE '%仓' THEN 'warehouse'
    WHEN station LIKE '%分拨' THEN 'sorting'
    WHEN station LIKE '%转运' THEN 'transfer'
  END AS kind,
  max(create_time) AS last_seen_at,
  CAST(count(DISTINCT ds) AS INT) AS active_days,
  count(DISTINCT package_no) AS parcels
FROM ods.ods_t_package_flow_log
WHERE ds BETWEEN date_sub('{{ ds }}', 6) AND '{{ ds }}'
GROUP BY station

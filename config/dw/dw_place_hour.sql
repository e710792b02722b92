WITH seen AS (
  SELECT coalesce(parse_ip(ip), 'unknown') AS place, session_id, account_id
  FROM ods.ods_t_page_view
  WHERE ds = '{{ ds }}' AND hr = '{{ hour }}'
)
SELECT
  place,
  count(*) AS views,
  count(DISTINCT session_id) AS visits,
  count(DISTINCT account_id) AS accounts
FROM seen
GROUP BY place

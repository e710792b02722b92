WITH actions AS (
  SELECT CAST(account_id AS BIGINT) AS account_id, session_id, device, 0 AS orders, CAST(0 AS DECIMAL(12, 2)) AS money
  FROM ods.ods_t_page_view
  WHERE ds = '{{ ds }}' AND account_id IS NOT NULL
  UNION ALL
  SELECT CAST(account_id AS BIGINT), NULL, NULL, 1, CAST(amount AS DECIMAL(12, 2))
  FROM ods.ods_t_order
  WHERE ds = '{{ ds }}' AND to_date(create_time) = '{{ ds }}'
)
SELECT
  x.account_id,
  first(a.area) AS area,
  coalesce(first(a.is_vip), false) AS is_vip,
  coalesce(first(a.registered_on) = '{{ ds }}', false) AS is_new,
  count(x.session_id) AS views,
  count(DISTINCT x.session_id) AS visits,
  count(DISTINCT x.device) AS devices,
  sum(x.orders) AS orders,
  sum(x.money) AS ordered_money
FROM actions x
LEFT JOIN dim.dim_account a ON a.ds = '{{ ds }}' AND a.account_id = x.account_id
GROUP BY x.account_id

SELECT
  area,
  count_if(is_new_today) AS orders,
  count(DISTINCT CASE WHEN is_new_today THEN account_id END) AS buyers,
  coalesce(sum(CASE WHEN is_new_today THEN amount END), 0) AS amount,
  CAST(
    sum(CASE WHEN is_new_today AND is_vip THEN amount ELSE 0 END)
    / nullif(sum(CASE WHEN is_new_today THEN amount ELSE 0 END), 0) AS DECIMAL(9, 4)) AS vip_share,
  sum(refunded_money) AS refunded_money
FROM dw.dw_order_day
WHERE ds = '{{ ds }}'
GROUP BY area

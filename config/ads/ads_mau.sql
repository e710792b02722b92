SELECT
  '{{ month }}' AS month,
  count(DISTINCT account_id) AS mau,
  count(DISTINCT CASE WHEN is_new THEN account_id END) AS new_accounts,
  count(DISTINCT CASE WHEN orders > 0 THEN account_id END) AS payers,
  CAST(round(count(*) / nullif(count(DISTINCT account_id), 0), 2) AS DECIMAL(4, 2)) AS days_a_head,
  coalesce(sum(ordered_money), 0) AS ordered_money
FROM dw.dw_user_day
WHERE ds BETWEEN '{{ month_start }}' AND '{{ month_end }}'

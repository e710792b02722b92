WITH viewed AS (
  SELECT
    CAST(product_id AS BIGINT) AS product_id,
    count(*) AS views,
    count(DISTINCT account_id) AS visitors
  FROM ods.ods_t_page_view
  WHERE ds = '{{ ds }}' AND product_id IS NOT NULL
  GROUP BY product_id
),
ordered AS (
  SELECT
    CAST(product_id AS BIGINT) AS product_id,
    sum(quantity) AS quantity,
    sum(quantity * price) AS ordered_money
  FROM ods.ods_t_order_item
  WHERE ds = '{{ ds }}'
  GROUP BY product_id
)
SELECT
  p.product_id,
  p.category,
  p.price_band,
  coalesce(v.views, 0) AS views,
  coalesce(v.visitors, 0) AS visitors,
  coalesce(o.quantity, 0) AS quantity,
  coalesce(o.ordered_money, 0) AS ordered_money
FROM dim.dim_product p
LEFT JOIN viewed v ON v.product_id = p.product_id
LEFT JOIN ordered o ON o.product_id = p.product_id
WHERE p.ds = '{{ ds }}'
  AND (v.product_id IS NOT NULL OR o.product_id IS NOT NULL)

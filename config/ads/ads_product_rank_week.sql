WITH week AS (
  SELECT
    product_id,
    max(category) AS category,
    sum(ordered_money) AS ordered_money,
    sum(quantity) AS quantity,
    sum(views) AS views
  FROM dw.dw_product_day
  WHERE ds BETWEEN date_sub('{{ ds }}', 6) AND '{{ ds }}'
  GROUP BY product_id
),
ranked AS (
  SELECT
    category,
    -- A tie is broken by the number, so that the same rows give the same ranking.
    row_number() OVER (PARTITION BY category ORDER BY ordered_money DESC, product_id) AS place,
    product_id,
    ordered_money,
    quantity,
    views
  FROM week
  WHERE quantity > 0
)
SELECT
  category,
  place,
  product_id,
  ordered_money,
  quantity,
  views,
  CAST(quantity / nullif(views, 0) AS DECIMAL(9, 4)) AS orders_per_view
FROM ranked
WHERE place <= 10

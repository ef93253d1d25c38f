-- How long does SES take to hand the mail over, by the domain of the recipient?
-- Deliveries that arrived in the last 7 days: from the acceptance by SES to that of the recipient's server.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '7' DAY, {days})),
{recipient_events},
delivery AS (
  SELECT message_id, recipient, min(recipient_domain) AS recipient_domain, min(processing_time_millis) AS millis
  FROM recipient_events
  WHERE kind = 'Delivery'
  GROUP BY message_id, recipient
)
SELECT
  recipient_domain,
  count(*) AS deliveries,
  approx_percentile(millis, 0.5) AS p50_millis,
  approx_percentile(millis, 0.9) AS p90_millis,
  approx_percentile(millis, 0.99) AS p99_millis,
  max(millis) AS max_millis,
  sum(IF(millis > 300000, 1, 0)) AS over_5_minutes
FROM delivery
GROUP BY recipient_domain
ORDER BY deliveries DESC, recipient_domain
LIMIT 100

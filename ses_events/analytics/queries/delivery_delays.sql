-- Who delays the mail, why, and does it get there in the end?
-- Mail sent in the last 7 days (UTC), by message and recipient; the type is that of the last delay.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '7' DAY, {days})),
{recipient_events},
outcome AS (
  SELECT
    message_id,
    recipient,
    min(recipient_domain) AS recipient_domain,
    max_by(subtype, event_at) FILTER (WHERE kind = 'DeliveryDelay') AS delay_type,
    max_by(response, event_at) FILTER (WHERE kind = 'DeliveryDelay') AS response,
    max(IF(kind = 'Delivery', 1, 0)) AS delivered,
    max(IF(kind IN ('Hard bounce', 'Soft bounce'), 1, 0)) AS bounced,
    min(processing_time_millis) AS millis
  FROM recipient_events
  WHERE sent_at >= current_date - INTERVAL '7' DAY
    AND kind IN ('DeliveryDelay', 'Delivery', 'Hard bounce', 'Soft bounce')
  GROUP BY message_id, recipient
  HAVING max(IF(kind = 'DeliveryDelay', 1, 0)) = 1
)
SELECT
  recipient_domain,
  delay_type,
  count(*) AS delayed,
  sum(delivered) AS delivered_later,
  sum(IF(delivered = 0, bounced, 0)) AS bounced_later,
  sum(IF(delivered = 0 AND bounced = 0, 1, 0)) AS still_open,
  approx_percentile(millis, 0.5) AS p50_millis_to_deliver,
  max(response) AS example_response
FROM outcome
GROUP BY recipient_domain, delay_type
ORDER BY delayed DESC, recipient_domain, delay_type
LIMIT 100

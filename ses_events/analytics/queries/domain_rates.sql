-- Which mailbox providers bounce, delay or complain about the mail?
-- Mail sent in the last 7 days (UTC), by message and recipient, as in daily_rates; by the domain of the recipient.
-- A complaint counts once for a domain, though it may name several recipients there, and for none if it does not say
-- to which of several domains the mail went that it is about.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '7' DAY, {days})),
{recipient_events},
outcome AS (
  SELECT
    message_id,
    recipient,
    min(recipient_domain) AS recipient_domain,
    max(IF(kind = 'Send', 1, 0)) AS sent,
    max(IF(kind = 'Delivery', 1, 0)) AS delivered,
    max(IF(kind = 'DeliveryDelay', 1, 0)) AS delayed,
    max(IF(kind = 'Hard bounce', 1, 0)) AS hard_bounced,
    max(IF(kind = 'Soft bounce', 1, 0)) AS soft_bounced,
    max(IF(kind = 'Suppressed', 1, 0)) AS suppressed,
    min(complaint_id) FILTER (
      WHERE kind = 'Complaint' OR (kind = 'Possible complaint' AND one_domain)) AS complaint_id
  FROM recipient_events
  WHERE sent_at >= current_date - INTERVAL '7' DAY
    AND kind IN ('Send', 'Delivery', 'DeliveryDelay', 'Hard bounce', 'Soft bounce', 'Suppressed',
      'Complaint', 'Possible complaint')
  GROUP BY message_id, recipient
)
SELECT
  recipient_domain,
  sum(sent) AS sent,
  sum(delivered) AS delivered,
  sum(delayed) AS delayed,
  sum(hard_bounced) AS hard_bounces,
  sum(soft_bounced) AS soft_bounces,
  sum(suppressed) AS suppressed,
  count(DISTINCT complaint_id) AS complaints,
  -- 1e2 and not 100.0: Athena would divide that to one decimal.
  round(1e2 * sum(delivered) / nullif(sum(sent), 0), 2) AS delivered_percent,
  round(1e2 * sum(hard_bounced) / nullif(sum(sent), 0), 2) AS hard_bounce_percent,
  round(1e2 * count(DISTINCT complaint_id) / nullif(sum(delivered), 0), 3) AS complaint_percent
FROM outcome
GROUP BY recipient_domain
ORDER BY sent DESC, recipient_domain
LIMIT 100

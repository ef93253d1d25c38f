-- Which addresses bounced for good or complained, and are to be taken off the lists?
-- A Repeated bounce is that of three or more messages, with no delivery to the address: its server refused them for
-- good (5.x.x), though SES does not call that Permanent. Refusals of what is in the mail do not count.
-- A Possible complaint is about one of several recipients of a mail, and SES does not know which: keep them on the
-- lists, unless one turns up for message after message.
-- Events that arrived in the last 30 days; those of the suppression list of the account are in suppressed_recipients.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '30' DAY, {days})),
{recipient_events},
refused AS (
  SELECT
    *,
    kind = 'Soft bounce'
      AND coalesce(subtype, '') NOT IN ('MessageTooLarge', 'ContentRejected', 'AttachmentRejected')
      AND (
        smtp_status LIKE '5.%'
        -- 'smtp; 550 5.1.1 no such user', but not 'smtp; 550 4.4.7 message expired'.
        OR (regexp_like(response, '^(smtp; *)?5[0-9][0-9]')
          AND NOT regexp_like(response, '^(smtp; *)?5[0-9][0-9][ -]4[.]'))
      ) AS refused,
    max(IF(kind = 'Delivery', 1, 0)) OVER (PARTITION BY recipient) AS delivered
  FROM recipient_events
)
SELECT
  recipient,
  CASE
    WHEN bool_or(kind = 'Complaint') THEN 'Complaint'
    WHEN bool_or(kind = 'Hard bounce') THEN 'Hard bounce'
    WHEN count(DISTINCT IF(refused, message_id)) >= 3 THEN 'Repeated bounce'
    ELSE 'Possible complaint'
  END AS reason,
  count(DISTINCT message_id) AS messages,
  max_by(response, event_at) FILTER (WHERE response IS NOT NULL) AS last_response,
  max(event_at) AS last_seen
FROM refused
WHERE recipient <> 'unknown'
  AND (kind IN ('Complaint', 'Hard bounce', 'Possible complaint') OR (refused AND delivered = 0))
GROUP BY recipient
-- Fewer refusals than three are reason for nothing.
HAVING bool_or(kind <> 'Soft bounce') OR count(DISTINCT message_id) >= 3
ORDER BY last_seen DESC, recipient

-- For which reasons do recipients' servers bounce the mail?
-- Bounces that arrived in the last 7 days, without automatic replies, and without those of recipients on a suppression
-- list, SES's own too, which no server has seen.
-- Addresses, IPs and ids in a reason become #, so that equal reasons are one.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '7' DAY, {days})),
{recipient_events}
SELECT
  kind,
  subtype,
  smtp_status,
  recipient_domain,
  regexp_replace(
    regexp_replace(response, '[^\s<>:;,()]+@[^\s<>:;,()]+', '#'),
    '[0-9]+(\.[0-9]+){3}|[A-Za-z]*[0-9][0-9A-Za-z]{5,}([.-][0-9A-Za-z]+)*',
    '#'
  ) AS reason,
  count(DISTINCT (message_id, recipient)) AS bounces,
  min(event_at) AS first_seen,
  max(event_at) AS last_seen,
  max(recipient) AS example_recipient,
  max(message_id) AS example_message_id
FROM recipient_events
WHERE kind IN ('Hard bounce', 'Soft bounce') AND coalesce(subtype, '') <> 'Suppressed'
GROUP BY 1, 2, 3, 4, 5
ORDER BY bounces DESC, last_seen DESC, reason
LIMIT 100

-- To which recipients, whom SES does not try, is mail still sent?
-- Events that arrived in the last 30 days. SES accepts such mail and ends it with a Bounce, or a Complaint, of its own.
-- Where the reason is Suppressed, SES's own list, it counts as a hard bounce: take the address off your lists.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '30' DAY, {days})),
{recipient_events}
SELECT
  recipient,
  subtype AS reason,
  count(DISTINCT message_id) AS messages,
  coalesce(max_by(dimension_value, event_at), 'unknown') AS last_dimension_value,
  min(event_at) AS first_seen,
  max(event_at) AS last_seen
FROM recipient_events
WHERE kind = 'Suppressed' OR (kind = 'Hard bounce' AND subtype = 'Suppressed')
GROUP BY 1, 2
ORDER BY messages DESC, last_seen DESC, recipient
LIMIT 1000

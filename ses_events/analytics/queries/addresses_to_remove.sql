-- Which addresses bounced for good or complained, and are to be taken off the lists?
-- A Possible complaint names several recipients of one mail, of whom one complained, and SES does not know who: keep
-- them on the lists, unless one turns up for message after message.
-- Events that arrived in the last 30 days; those of suppressed recipients are in suppressed_recipients.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')),
{recipient_events}
SELECT
  recipient,
  min(kind) AS reason, -- a Complaint weighs most, a Possible complaint least
  count(DISTINCT message_id) AS messages,
  max_by(response, event_at) FILTER (WHERE response IS NOT NULL) AS last_response,
  max(event_at) AS last_seen
FROM recipient_events
WHERE kind IN ('Complaint', 'Hard bounce', 'Possible complaint')
GROUP BY recipient
ORDER BY last_seen DESC, recipient

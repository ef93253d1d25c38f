-- One row for each event and recipient: sent_at is when its mail was sent, event_at when the event happened.
-- Firehose may deliver an event twice: count messages and recipients, never rows.
-- An event is about the recipients that it names, and where it names none, about those of its mail. If it is then
-- about one of several, and SES does not say which, its kind is Possible: a count of recipients leaves that out.
named AS (
  SELECT
    e.*,
    CASE e.eventtype
      WHEN 'Delivery' THEN e.delivery.recipients
      WHEN 'Bounce' THEN transform(e.bounce.bouncedrecipients, b -> b.emailaddress)
      WHEN 'Complaint' THEN transform(e.complaint.complainedrecipients, c -> c.emailaddress)
      WHEN 'DeliveryDelay' THEN transform(e.deliverydelay.delayedrecipients, d -> d.emailaddress)
    END AS named
  FROM recent AS e
  -- What is no event of SES is no row: archive_health counts it.
  WHERE e.eventtype IS NOT NULL AND e.mail.messageid IS NOT NULL
),
addressed AS (
  SELECT
    e.*,
    -- 'John <User@Example.com>' and 'rfc822; user@example.com' are user@example.com.
    transform(
      IF(cardinality(filter(e.named, a -> trim(a) <> '')) > 0, e.named, e.mail.destination),
      a -> coalesce(regexp_extract(lower(a), '([^<>\s,;"]+@[^<>\s,;"]+)>?\s*$', 1), nullif(trim(lower(a)), ''))
    ) AS recipients
  FROM named AS e
),
classified AS (
  SELECT
    e.*,
    r.address,
    r.place,
    -- The type of event, with bounces and complaints told apart.
    CASE
      -- SES does not try these, and does not count them as bounces. It counts those of its own, global list.
      WHEN coalesce(e.bounce.bouncesubtype, e.complaint.complaintsubtype) IN (
        'OnAccountSuppressionList', 'OnTenantSuppressionList', 'EmailValidationSuppressed', 'UnsubscribedRecipient')
        THEN 'Suppressed'
      WHEN e.bounce.bouncetype = 'Permanent' THEN 'Hard bounce'
      -- An out-of-office reply, say: a Bounce to SES, which does not count it as one. A server says more.
      WHEN (e.bounce.bouncetype, e.bounce.bouncesubtype) IN (
          ('Transient', 'General'), ('Undetermined', 'Undetermined'))
        AND coalesce(
          nullif(element_at(e.bounce.bouncedrecipients, r.place).action, ''),
          nullif(element_at(e.bounce.bouncedrecipients, r.place).status, ''),
          nullif(element_at(e.bounce.bouncedrecipients, r.place).diagnosticcode, '')) IS NULL
        THEN 'Automatic reply'
      WHEN e.eventtype = 'Bounce' THEN 'Soft bounce'
      WHEN e.complaint.complaintfeedbacktype = 'not-spam' THEN 'Not spam'
      ELSE e.eventtype
    END AS kind
  FROM addressed AS e
  LEFT JOIN UNNEST(e.recipients) WITH ORDINALITY AS r (address, place) ON TRUE
),
recipient_events AS (
  SELECT
    {partitions},
    e.mail.messageid AS message_id,
    from_iso8601_timestamp(e.mail.timestamp) AS sent_at,
    from_iso8601_timestamp(coalesce(
      {timestamps})) AS event_at,
    element_at(element_at(e.mail.tags, 'ses:configuration-set'), 1) AS configuration_set,
    element_at(element_at(e.mail.tags, {dimension}), 1) AS dimension_value,
    coalesce(e.address, 'unknown') AS recipient,
    coalesce(regexp_extract(e.address, '@(.+)$', 1), 'unknown') AS recipient_domain,
    -- Where this is true, the event is about somebody of recipient_domain, even if SES does not say whom.
    cardinality(array_distinct(transform(e.recipients, a -> regexp_extract(a, '@(.+)$', 1)))) <= 1 AS one_domain,
    e.eventtype AS event_type,
    CASE
      WHEN cardinality(array_distinct(e.recipients)) = 1 THEN e.kind
      WHEN e.eventtype IN ('Send', 'Reject', 'Rendering Failure') THEN e.kind -- of the whole mail
      -- A Complaint names everybody at the domain that it came from, unless SES itself made it, of a suppressed one.
      WHEN trim(element_at(e.named, e.place)) <> '' AND (e.eventtype <> 'Complaint' OR e.kind = 'Suppressed')
        THEN e.kind
      ELSE 'Possible ' || IF(e.eventtype = 'DeliveryDelay', 'delay', lower(e.kind))
    END AS kind,
    coalesce(e.bounce.bouncesubtype, e.complaint.complaintsubtype, e.complaint.complaintfeedbacktype,
      e.deliverydelay.delaytype) AS subtype,
    e.complaint.feedbackid AS complaint_id,
    coalesce(
      element_at(e.bounce.bouncedrecipients, e.place).status,
      element_at(e.deliverydelay.delayedrecipients, e.place).status) AS smtp_status,
    coalesce(
      element_at(e.bounce.bouncedrecipients, e.place).diagnosticcode,
      element_at(e.deliverydelay.delayedrecipients, e.place).diagnosticcode,
      e.delivery.smtpresponse) AS response,
    e.delivery.processingtimemillis AS processing_time_millis,
    coalesce(e.open.isbotevent, e.click.isbotevent, '') = 'Likely' AS likely_bot,
    e.click.link AS link
  FROM classified AS e
)

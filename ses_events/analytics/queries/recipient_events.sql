-- One row for each event and recipient: sent_at is when its mail was sent, event_at when the event happened.
-- Firehose may deliver an event twice: count messages and recipients, never rows.
-- Open, Click and Subscription name every recipient of the mail: only mail to one recipient says who it was.
-- A Complaint names those at the domain that it came from: where it names several, each is a possible complaint.
recipient_events AS (
  SELECT
    e.mail.messageid AS message_id,
    from_iso8601_timestamp(e.mail.timestamp) AS sent_at,
    from_iso8601_timestamp(coalesce(
      e.delivery.timestamp, e.bounce.timestamp, e.complaint.timestamp, e.open.timestamp, e.click.timestamp,
      e.deliverydelay.timestamp, e.subscription.timestamp, e.mail.timestamp)) AS event_at,
    element_at(element_at(e.mail.tags, 'ses:configuration-set'), 1) AS configuration_set,
    element_at(element_at(e.mail.tags, {dimension}), 1) AS dimension_value,
    -- 'John <User@Example.com>' and 'rfc822; user@example.com' are user@example.com.
    coalesce(regexp_extract(lower(r.address), '([^<>\s,;"]+@[^<>\s,;"]+)>?\s*$', 1), lower(r.address)) AS recipient,
    regexp_extract(lower(r.address), '@([^<>\s,;"]+)>?\s*$', 1) AS recipient_domain,
    -- The type of event, with bounces and complaints told apart. SES does not try a suppressed recipient.
    CASE
      WHEN coalesce(e.bounce.bouncesubtype, e.complaint.complaintsubtype) IN (
        'Suppressed', 'OnAccountSuppressionList', 'OnTenantSuppressionList', 'EmailValidationSuppressed',
        'UnsubscribedRecipient') THEN 'Suppressed'
      WHEN e.bounce.bouncetype = 'Permanent' THEN 'Hard bounce'
      WHEN e.eventtype = 'Bounce' THEN 'Soft bounce'
      WHEN e.complaint.complaintfeedbacktype = 'not-spam' THEN 'Not spam'
      WHEN cardinality(e.complaint.complainedrecipients) > 1 THEN 'Possible complaint'
      ELSE e.eventtype
    END AS kind,
    coalesce(e.bounce.bouncesubtype, e.complaint.complaintsubtype, e.complaint.complaintfeedbacktype,
      e.deliverydelay.delaytype) AS subtype,
    e.complaint.feedbackid AS complaint_id,
    coalesce(
      element_at(e.bounce.bouncedrecipients, r.place).status,
      element_at(e.deliverydelay.delayedrecipients, r.place).status) AS smtp_status,
    coalesce(
      element_at(e.bounce.bouncedrecipients, r.place).diagnosticcode,
      element_at(e.deliverydelay.delayedrecipients, r.place).diagnosticcode,
      e.delivery.smtpresponse) AS response,
    e.delivery.processingtimemillis AS processing_time_millis,
    coalesce(e.open.isbotevent, e.click.isbotevent, '') = 'Likely' AS likely_bot,
    e.click.link AS link
  FROM recent AS e
  LEFT JOIN UNNEST(
    CASE e.eventtype
      WHEN 'Delivery' THEN e.delivery.recipients
      WHEN 'Bounce' THEN transform(e.bounce.bouncedrecipients, b -> b.emailaddress)
      WHEN 'Complaint' THEN transform(e.complaint.complainedrecipients, c -> c.emailaddress)
      WHEN 'DeliveryDelay' THEN transform(e.deliverydelay.delayedrecipients, d -> d.emailaddress)
      ELSE e.mail.destination
    END
  ) WITH ORDINALITY AS r (address, place) ON TRUE
)

"""A configuration set from flat options, in the words of CloudFormation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aws_cdk import aws_ses as ses
from constructs import Construct

_P = TypeVar("_P")


def new_configuration_set(scope: Construct, options: Mapping[str, Any]) -> ses.CfnConfigurationSet:
    """An ``AWS::SES::ConfigurationSet`` with the options of ``EventPublishing``, by name; None leaves one out."""
    of = ses.CfnConfigurationSet
    tls_policy, https_policy = options["tls_policy"], options["custom_tracking_https_policy"]
    duration, pool = options["max_delivery_duration"], options["dedicated_ip_pool"]
    archive, vdm = options["mail_manager_archive"], options["vdm_options"] or ses.VdmOptions()
    return of(
        scope,
        "ConfigurationSet",
        name=options["configuration_set_name"],
        archiving_options=_options(
            of.ArchivingOptionsProperty, archive_arn=archive and archive.mail_manager_archive_ref.archive_arn
        ),
        delivery_options=_options(
            of.DeliveryOptionsProperty,
            max_delivery_seconds=duration and duration.to_seconds(),
            sending_pool_name=pool and pool.dedicated_ip_pool_ref.pool_name,
            tls_policy=tls_policy and tls_policy.value,
        ),
        reputation_options=_options(
            of.ReputationOptionsProperty, reputation_metrics_enabled=options["reputation_metrics"]
        ),
        sending_options=_options(of.SendingOptionsProperty, sending_enabled=options["sending_enabled"]),
        suppression_options=_options(
            of.SuppressionOptionsProperty,
            suppressed_reasons=_suppressed_reasons(options["suppression_reasons"], options["disable_suppression_list"]),
            validation_options=_validation(options["auto_validation_threshold"], options["disable_auto_validation"]),
        ),
        tracking_options=_options(
            of.TrackingOptionsProperty,
            custom_redirect_domain=options["custom_tracking_redirect_domain"],
            https_policy=https_policy and https_policy.value,
        ),
        vdm_options=_options(
            of.VdmOptionsProperty,
            dashboard_options=_options(
                of.DashboardOptionsProperty, engagement_metrics=_enabled(vdm.engagement_metrics)
            ),
            guardian_options=_options(
                of.GuardianOptionsProperty, optimized_shared_delivery=_enabled(vdm.optimized_shared_delivery)
            ),
        ),
    )


def _options(kind: Callable[..., _P], **values: Any) -> _P | None:
    """The options that were given, or nothing: then SES's defaults hold."""
    given = {name: value for name, value in values.items() if value is not None}
    return kind(**given) if given else None


def _suppressed_reasons(reasons: ses.SuppressionReasons | None, disable: bool | None) -> list[str] | None:
    """CloudFormation's words; an empty list disables the suppression list."""
    if disable:
        return []
    return (
        reasons
        and {
            ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS: ["BOUNCE", "COMPLAINT"],
            ses.SuppressionReasons.BOUNCES_ONLY: ["BOUNCE"],
            ses.SuppressionReasons.COMPLAINTS_ONLY: ["COMPLAINT"],
        }[reasons]
    )


def _validation(
    threshold: ses.AutoValidationThreshold | None, disable: bool | None
) -> ses.CfnConfigurationSet.ValidationOptionsProperty | None:
    of = ses.CfnConfigurationSet
    if threshold is None and disable is None:
        return None
    return of.ValidationOptionsProperty(
        condition_threshold=of.ConditionThresholdProperty(
            condition_threshold_enabled="DISABLED" if disable else "ENABLED",
            overall_confidence_threshold=threshold
            and of.OverallConfidenceThresholdProperty(confidence_verdict_threshold=threshold.value),
        )
    )


def _enabled(value: bool | None) -> str | None:
    return None if value is None else "ENABLED" if value else "DISABLED"

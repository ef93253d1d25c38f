from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws


def test_both_versions_of_the_ses_api_know_a_configuration_set(aws: LocalAws) -> None:
    v1, v2 = aws.client("ses"), aws.client("sesv2")
    v1.create_configuration_set(ConfigurationSet={"Name": "of-v1"})
    v2.create_configuration_set(ConfigurationSetName="of-v2")
    for name in ("of-v1", "of-v2"):
        assert v1.describe_configuration_set(ConfigurationSetName=name)["ConfigurationSet"] == {"Name": name}
        assert v2.get_configuration_set(ConfigurationSetName=name)["ConfigurationSetName"] == name
        v2.delete_configuration_set(ConfigurationSetName=name)
        with pytest.raises(ClientError, match="ConfigurationSetDoesNotExist"):
            v1.describe_configuration_set(ConfigurationSetName=name)

"""``ses-events verify``: proves a deployed system with one mail, or says where its events stop.

Needs the extra ``verify`` (boto3, rich), and no CDK. The modules: ``cli`` (arguments, exit codes), ``deployed`` (what
is there), ``proof`` (sending and waiting), ``objects`` (what Firehose writes), ``diagnosis`` and ``trust`` (why
something did not arrive) and ``report`` (what the terminal shows, and the JSON).
"""

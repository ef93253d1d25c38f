"""``ses-events verify``: proves a deployed system with one mail, or says where its events stop.

Needs the extra ``verify`` (boto3, rich), and no CDK. The modules: ``cli`` (arguments, exit codes); ``deployed`` (what
is there); ``expected`` (the mail, and what of it is to arrive where); ``proof`` (sending and waiting) with ``objects``
(what Firehose writes); ``sending``, ``diagnosis`` and ``trust`` (why something did not arrive) with ``causes`` (what
they find); ``report`` (what the terminal shows, and the JSON).
"""

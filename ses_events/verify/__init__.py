"""``ses-events``: proves a deployed system with one mail, or says where its events stop.

Needs the extra ``verify`` (boto3, rich), and no CDK. The modules: ``cli`` (what is run, exit codes) with ``arguments``;
``account`` and ``system`` (what is deployed); ``template`` and ``drift`` (what the stack says, and what is deployed
otherwise); ``plan`` (the mail, and what of it is to arrive where); ``prove`` (sending and waiting) with ``s3_objects``
(what Firehose writes); ``diagnose_sending``, ``diagnose_delivery``, ``diagnose_log`` and ``trust`` (why something did
not arrive) with ``finding`` (what they find) and ``mend`` (the calls that put it back); ``report`` and ``status_line``
(what the terminal shows, and the JSON). ``query`` and ``trace`` ask the archive: ``questions`` (what Athena is asked)
and ``answers`` (what it says).
"""

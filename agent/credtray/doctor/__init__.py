"""What is wrong here, and what to do about it: `credtray doctor`, `explain` and `repair`.

``collect`` looks at this computer and makes ``evidence``; the rules (``all_rules``) make ``findings`` of it,
in the words of ``finding_texts_*``; ``explain_error`` matches an error message with ``symptoms``;
``resolution`` says which keys each AWS client really uses; ``repair_plans`` plan, ``repair_command`` writes.
Only the modules that collect, repair and print touch anything.
"""

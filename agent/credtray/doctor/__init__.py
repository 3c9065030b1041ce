"""What is wrong here, and what to do about it: `credtray doctor`, `explain` and `repair`.

``collect`` looks at this computer and makes ``evidence``; ``rules`` make ``findings`` of it, in the words of
``causes_*``; ``explanation`` matches an error message with ``symptoms``; ``resolution`` says which keys each
AWS client really uses; ``repairs`` plans, ``repair`` writes. Only the modules that collect, repair and print
touch anything.
"""

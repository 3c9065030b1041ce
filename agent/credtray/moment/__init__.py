"""When a person had better hear of something: the beginning of a working day. Pure."""

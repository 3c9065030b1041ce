"""The pure part of the local credentials endpoint: who may ask, what is answered, what programs receive."""

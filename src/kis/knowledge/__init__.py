"""Knowledge: the tables and rules, in versions that are imported, validated, activated.

`formats` reads uploads, `content` writes versions down, `snapshot` is a version
in memory, `service` and `activation` are what the rim calls.
"""

"""The service behind `mediagen serve`: a durable queue of jobs and the HTTP routes that fill it.

`kinds` says which kinds of jobs there are, `intake` reads what comes in, `queue` keeps the jobs and makes them, `http`
speaks to clients, `service` stands between them, and `program` is all of it with an address and a data folder.
"""

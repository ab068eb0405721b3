"""The service behind `mediagen serve`: a durable queue of jobs and the HTTP routes that fill it.

`store` keeps jobs, `workers` make them, `kinds` says which kinds there are, `service` takes requests, `app` and
`routes` speak HTTP.
"""

"""Where application and worker find the queue and the database."""
import os

import psycopg2
import redis


def queue():
    return redis.Redis(host="cache", socket_connect_timeout=5)


def database():
    with open("/run/secrets/db_password", encoding="utf-8") as file:
        password = file.read().strip()
    return psycopg2.connect(host="db", user="postgres", password=password, connect_timeout=5)

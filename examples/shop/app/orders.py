# SPDX-License-Identifier: GPL-2.0-only
# Orders in PostgreSQL, and how often somebody looked at them in Redis.
import psycopg2
import redis
from flask import Flask, jsonify, request

app = Flask(__name__)
cache = redis.Redis(host="cache")


def database():
    with open("/run/secrets/password") as file:
        return psycopg2.connect(host="db", user="postgres", password=file.read().rstrip("\n"))


with database() as connection, connection.cursor() as cursor:
    # Each worker comes by here.
    cursor.execute("select pg_advisory_xact_lock(1)")
    cursor.execute("create table if not exists orders (id serial primary key, what text not null)")


@app.get("/orders")
def all_orders():
    with database() as connection, connection.cursor() as cursor:
        cursor.execute("select id, what from orders order by id")
        orders = [{"id": number, "what": what} for number, what in cursor]
    return jsonify(looks=cache.incr("looks"), orders=orders)


@app.post("/orders")
def add_order():
    what = (request.get_json(silent=True) or {}).get("what")
    if not isinstance(what, str):
        return jsonify(error="what is wanted?"), 400
    with database() as connection, connection.cursor() as cursor:
        cursor.execute("insert into orders (what) values (%s) returning id", (what,))
        return jsonify(id=cursor.fetchone()[0], what=what)

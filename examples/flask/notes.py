# SPDX-License-Identifier: GPL-2.0-only
# Notes, in an SQLite database that both workers have.
import sqlite3

from flask import Flask, g, jsonify, request

app = Flask(__name__)


def database():
    if "database" not in g:
        g.database = sqlite3.connect("/srv/data/notes.db", timeout=30)
        g.database.row_factory = sqlite3.Row
        # With a journal that is removed, as is usual, the last change would be gone with the power: nobody
        # writes through to the disk that it was removed (sqlite.org/pragma.html#pragma_synchronous).
        g.database.execute("pragma journal_mode = wal")
        g.database.execute("create table if not exists notes (id integer primary key, text text not null)")
    return g.database


@app.teardown_appcontext
def close(_):
    if "database" in g:
        g.database.close()


@app.get("/notes")
def all_notes():
    return jsonify([dict(row) for row in database().execute("select id, text from notes order by id")])


@app.get("/notes/<int:number>")
def one_note(number):
    row = database().execute("select id, text from notes where id = ?", (number,)).fetchone()
    return jsonify(dict(row)) if row else (jsonify(error="there is none"), 404)


@app.post("/notes")
def add_note():
    asked = request.get_json(silent=True)
    text = asked.get("text") if isinstance(asked, dict) else None
    if not isinstance(text, str):
        return jsonify(error="a text is wanted"), 400
    with database() as change:
        number = change.execute("insert into notes (text) values (?)", (text,)).lastrowid
    return jsonify(id=number, text=text)

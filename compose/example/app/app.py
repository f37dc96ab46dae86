"""GET /NUMBER: hands the number to the worker through the queue, and answers with what it wrote into the database."""
import http.server
import uuid

import shop


def square(number):
    job = str(uuid.uuid4())
    queue = shop.queue()
    queue.rpush("jobs", f"{job} {number}")
    if queue.blpop(f"done {job}", timeout=3) is None:
        raise TimeoutError("no worker took the job")
    with shop.database() as database, database.cursor() as cursor:
        cursor.execute("SELECT square FROM results WHERE job = %s", (job,))
        return cursor.fetchone()[0]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            number = int(self.path.strip("/") or 0)
            self.answer(200, f"{number} squared is {square(number)}\n")
        except Exception as error:  # a service that is not there: the client may try again
            self.answer(503, f"{error}\n")

    def answer(self, status, text):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())


http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()

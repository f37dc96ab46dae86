"""Takes jobs from the queue and writes what they come to into the database."""
import shop

queue = shop.queue()
print("worker: ready")
while True:
    job, number = queue.blpop("jobs")[1].decode().split()
    with shop.database() as database, database.cursor() as cursor:
        cursor.execute("INSERT INTO results VALUES (%s, %s)", (job, int(number) ** 2))
    queue.rpush(f"done {job}", "")
    queue.expire(f"done {job}", 60)

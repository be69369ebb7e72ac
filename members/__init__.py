"""Who, and what cover: people, plans, enrollments, coverage, intake, outbox, notices."""

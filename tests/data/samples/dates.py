"""Dates relative to the day for which the samples are made."""
import calendar
import datetime


def before(day, years=0, months=0, days=0):
    """So many years, months and days before; 29 February becomes the 28th where it must."""
    month = day.year * 12 + day.month - 1 - years * 12 - months
    year, month = month // 12, month % 12 + 1
    last = calendar.monthrange(year, month)[1]
    return datetime.date(year, month, min(day.day, last)) - datetime.timedelta(days)


def time_on(day, hour, offset="Z"):
    return f"{day.isoformat()}T{hour:02d}:20:00{offset}"

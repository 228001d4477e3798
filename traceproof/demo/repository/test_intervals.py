import unittest

from intervals import busy_hours, merge


class Merge(unittest.TestCase):
    def test_overlapping_intervals_become_one(self):
        self.assertEqual(merge([(9, 11), (10, 12)]), [(9, 12)])

    def test_touching_intervals_become_one(self):
        self.assertEqual(merge([(9, 10), (10, 11)]), [(9, 11)])

    def test_an_interval_within_another_does_not_shorten_it(self):
        self.assertEqual(merge([(9, 17), (10, 11)]), [(9, 17)])

    def test_busy_hours_count_overlaps_once(self):
        self.assertEqual(busy_hours([(9, 17), (10, 11), (16, 18)]), 9)


if __name__ == "__main__":
    unittest.main()

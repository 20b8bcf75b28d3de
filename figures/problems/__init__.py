"""What networks are trained on: functions, control problems, images, students and teachers."""

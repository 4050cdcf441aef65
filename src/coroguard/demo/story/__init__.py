"""What does the demonstration tell, and how is each of its claims checked?"""

"""Two versions of the models see the same stored pictures: how far do they agree?"""

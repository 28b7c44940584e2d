"""The pages of both plugins on Meltano Hub."""

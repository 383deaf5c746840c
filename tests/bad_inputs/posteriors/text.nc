this is no NetCDF file
